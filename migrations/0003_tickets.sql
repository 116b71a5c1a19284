CREATE TABLE `tickets` (
	`hash` text PRIMARY KEY NOT NULL,
	`session_id` text NOT NULL,
	`caller` text NOT NULL,
	`expires_at` integer NOT NULL
);
