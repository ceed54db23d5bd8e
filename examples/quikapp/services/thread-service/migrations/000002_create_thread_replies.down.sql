DROP TABLE thread_replies;
