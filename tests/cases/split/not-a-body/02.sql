CREATE TABLE begin (atomic int)
