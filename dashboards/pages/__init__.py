"""The pages: each a function from a context to a tree of tags and charts."""
