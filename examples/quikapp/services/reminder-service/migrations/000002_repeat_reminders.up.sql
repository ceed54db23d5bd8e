ALTER TABLE reminders ADD COLUMN repeat_every INTERVAL CHECK (repeat_every > INTERVAL '0');
