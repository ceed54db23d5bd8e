SELECT "/*" FROM "semi;colon"
