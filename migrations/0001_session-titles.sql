CREATE VIEW `indexed_titles` AS SELECT `number`, `title_folded` || char(173) AS `title_folded` FROM `sessions` WHERE `kind` = 'chatbot';
--> statement-breakpoint
CREATE VIRTUAL TABLE `session_titles` USING fts5(`title_folded`, content = 'indexed_titles', content_rowid = 'number', tokenize = 'trigram case_sensitive 1');
--> statement-breakpoint
CREATE VIRTUAL TABLE `session_titles_terms` USING fts5vocab(`session_titles`, 'row');
