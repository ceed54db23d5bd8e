CREATE TABLE "semi;colon" ("quo""te;" int, "it's" text, "--" int, U&"d\0061;" int);SELECT "/*" FROM "semi;colon" --"
;
