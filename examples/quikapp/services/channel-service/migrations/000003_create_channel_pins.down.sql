DROP TABLE channel_pins;
