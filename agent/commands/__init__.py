"""One module a command; loaded only when its command is called."""
