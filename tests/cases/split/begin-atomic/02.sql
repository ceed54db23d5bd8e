create or replace procedure "p;"(begin int, atomic text) language sql
begin /* c; */ atomic
  insert into log values (1, 'end;');;
  select 1 as end;
  select 2 end;
  select t.end, t.begin, t.case from t;
end
