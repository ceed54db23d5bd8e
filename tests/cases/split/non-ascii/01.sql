CREATE TABLE größe (breite$ü int, 名前 text)
