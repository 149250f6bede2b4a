"""The reproduction of the reference paper: makes its runs and writes docs/paper.md."""
