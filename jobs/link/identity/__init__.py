"""Which identifiers may tie prospect rows to one person, and which ties two national identifiers forbid."""
