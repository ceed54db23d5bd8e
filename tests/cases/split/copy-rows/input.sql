COPY t (a, b) FROM stdin WITH (FORMAT text);
1	it's; not SQL
$$	"
\.

SELECT 1;
