ALTER TABLE reminders DROP COLUMN repeat_every;
