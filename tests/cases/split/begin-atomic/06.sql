SELECT begin FROM t
