DROP TABLE card_tags;
