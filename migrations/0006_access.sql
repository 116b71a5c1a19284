CREATE TABLE `followers` (
	`key_id` text NOT NULL,
	`session_id` text NOT NULL,
	PRIMARY KEY(`key_id`, `session_id`)
);
--> statement-breakpoint
ALTER TABLE `keys` ADD `last_used_at` integer;