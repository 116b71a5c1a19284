-- Substring search in titles. It holds no text of its own: the folded title stands in `sessions`.
CREATE VIRTUAL TABLE `session_titles` USING fts5(
	`title_folded`,
	content = 'sessions',
	content_rowid = 'number',
	tokenize = 'trigram case_sensitive 1'
);
--> statement-breakpoint
CREATE TRIGGER `session_created` AFTER INSERT ON `sessions` WHEN new.`kind` = 'chatbot' BEGIN
	INSERT INTO `session_titles` (`rowid`, `title_folded`) VALUES (new.`number`, new.`title_folded`);
	INSERT INTO `session_counts` (`chatbot_id`, `status`, `sessions`) VALUES (new.`chatbot_id`, new.`status`, 1)
		ON CONFLICT (`chatbot_id`, `status`) DO UPDATE SET `sessions` = `sessions` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `session_deleted` AFTER DELETE ON `sessions` WHEN old.`kind` = 'chatbot' BEGIN
	INSERT INTO `session_titles` (`session_titles`, `rowid`, `title_folded`) VALUES ('delete', old.`number`, old.`title_folded`);
	UPDATE `session_counts` SET `sessions` = `sessions` - 1 WHERE `chatbot_id` = old.`chatbot_id` AND `status` = old.`status`;
END;
--> statement-breakpoint
CREATE TRIGGER `session_retitled` AFTER UPDATE OF `title_folded` ON `sessions`
WHEN new.`kind` = 'chatbot' AND old.`title_folded` IS NOT new.`title_folded` BEGIN
	INSERT INTO `session_titles` (`session_titles`, `rowid`, `title_folded`) VALUES ('delete', old.`number`, old.`title_folded`);
	INSERT INTO `session_titles` (`rowid`, `title_folded`) VALUES (new.`number`, new.`title_folded`);
END;
--> statement-breakpoint
CREATE TRIGGER `session_status_changed` AFTER UPDATE OF `status` ON `sessions`
WHEN new.`kind` = 'chatbot' AND old.`status` <> new.`status` BEGIN
	UPDATE `session_counts` SET `sessions` = `sessions` - 1 WHERE `chatbot_id` = old.`chatbot_id` AND `status` = old.`status`;
	INSERT INTO `session_counts` (`chatbot_id`, `status`, `sessions`) VALUES (new.`chatbot_id`, new.`status`, 1)
		ON CONFLICT (`chatbot_id`, `status`) DO UPDATE SET `sessions` = `sessions` + 1;
END;
--> statement-breakpoint
CREATE TRIGGER `message_carried` AFTER INSERT ON `messages` BEGIN
	UPDATE `sessions` SET
		`last_seq` = new.`seq`,
		`message_count` = `message_count` + (new.`detail` IS NULL OR new.`content` <> ''),
		`updated_at` = max(`updated_at`, new.`appended_at`)
	WHERE `id` = new.`session_id` AND `last_seq` < new.`seq`;
END;
