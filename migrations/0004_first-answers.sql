CREATE TABLE `first_answers` (
	`caller` text NOT NULL,
	`key` text NOT NULL,
	`fingerprint` text NOT NULL,
	`http_status` integer,
	`body` text,
	`at` integer NOT NULL,
	PRIMARY KEY(`caller`, `key`)
);
