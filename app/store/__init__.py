"""SQL, and nothing else; functions take a connection and never commit."""
