SELECT 'plain\'
