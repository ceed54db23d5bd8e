DROP TRIGGER prompts_keep_version ON prompts;
DROP FUNCTION keep_prompt_version();
DROP TABLE prompt_versions;
