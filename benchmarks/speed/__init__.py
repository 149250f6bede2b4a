"""How fast runs are: against the linear algebra they cannot do without, and as packings grow."""
