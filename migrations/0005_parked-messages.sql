CREATE TABLE `parked_messages` (
	`session_id` text NOT NULL,
	`seq` integer NOT NULL,
	`error` text NOT NULL,
	`at` integer NOT NULL,
	PRIMARY KEY(`session_id`, `seq`)
);
