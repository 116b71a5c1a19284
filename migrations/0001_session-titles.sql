CREATE VIRTUAL TABLE `session_titles` USING fts5(`title_folded`, content = 'sessions', content_rowid = 'number', tokenize = 'trigram case_sensitive 1');
