INSERT INTO t VALUES ('it''s; fine', E'it\'s; \\', 'c:\', U&'d;\0061', B'01', N'n;');SELECT 'a;'
  'b;'
, E'\';'
'still \'; escaped';SELECT 'plain\';SELECT e'\\';SELECT 2;
