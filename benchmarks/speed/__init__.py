"""How fast runs are: against their bare linear algebra, and as packings grow."""
