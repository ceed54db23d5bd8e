-- As many users as howdah.rows says, and a hundredth of that many organisations.
INSERT INTO orgs (name) SELECT 'org ' || g FROM generate_series(1, current_setting('howdah.rows')::int / 100) g;
INSERT INTO users
SELECT g, 1 + g % (current_setting('howdah.rows')::int / 100), 'user' || g || '@example.org', 'name ' || g,
       repeat('lorem ', 10), 'person', g / 100.0, timestamp '2026-01-01' + g * interval '1 minute', now()
FROM generate_series(1, current_setting('howdah.rows')::int) g;
