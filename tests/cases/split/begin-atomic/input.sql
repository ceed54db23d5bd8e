CREATE FUNCTION grade(points int) RETURNS text
BEGIN ATOMIC
  SELECT CASE WHEN points > 90 THEN 'a;' ELSE CASE WHEN points > 80 THEN 'b' END END;
END;
create or replace procedure "p;"(begin int, atomic text) language sql
begin /* c; */ atomic
  insert into log values (1, 'end;');;
  select 1 as end;
  select 2 end;
  select t.end, t.begin, t.case from t;
end;
CREATE FUNCTION empty() RETURNS void BEGIN ATOMIC END;
CREATE FUNCTION add(a int, b int) RETURNS int RETURN a + b;
CREATE FUNCTION f(begin atomic) RETURNS begin LANGUAGE sql AS 'begin atomic; end';
SELECT begin FROM t;
BEGIN;
SELECT 1;
END;
