"""What a message is, where it may stand, and what may become of it; standard library only."""
