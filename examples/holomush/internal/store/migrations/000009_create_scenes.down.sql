DROP VIEW characters_present;
DROP TABLE scene_participants;
DROP TABLE scenes;
