SELECT 'a;'
  'b;'
, E'\';'
'still \'; escaped'
