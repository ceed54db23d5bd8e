DROP TABLE cards;
DROP TYPE card_priority;
