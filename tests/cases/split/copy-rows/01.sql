COPY t (a, b) FROM stdin WITH (FORMAT text)
