"""Raw files of one source to landing tables, by a declaration in conf/sources."""
