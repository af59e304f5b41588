"""The way of one message, one module a step."""
