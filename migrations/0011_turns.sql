CREATE TABLE `turns` (
	`session_id` text NOT NULL,
	`turn_id` text NOT NULL,
	`number` integer NOT NULL,
	`started_at` integer NOT NULL,
	PRIMARY KEY(`session_id`, `turn_id`)
) WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `turns` (`session_id`, `turn_id`, `number`, `started_at`) SELECT `session_id`, `turn_id`, row_number() OVER (PARTITION BY `session_id` ORDER BY min(`seq`)), min(`created_at`) FROM `messages` WHERE `turn_id` IS NOT NULL GROUP BY `session_id`, `turn_id`;
