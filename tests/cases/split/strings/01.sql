INSERT INTO t VALUES ('it''s; fine', E'it\'s; \\', 'c:\', U&'d;\0061', B'01', N'n;')
