SELECT 3 */* two; */ 4
