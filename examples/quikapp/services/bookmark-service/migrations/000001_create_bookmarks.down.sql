DROP TABLE bookmarks;
DROP TABLE bookmark_folders;
