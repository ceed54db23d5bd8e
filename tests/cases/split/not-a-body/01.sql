SELECT * FROM begin atomic
