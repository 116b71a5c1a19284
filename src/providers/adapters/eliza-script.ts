/**
 * The script of the ELIZA connector: patterns and phrases only. The rules that use them are in `eliza.ts`. Pure.
 */

/** A topic with its replies. */
export interface Keyword {
  /**
   * Matches the lower-case sentence. Replies can use its groups as `$1`, `$2`, with first and second person exchanged.
   */
  pattern: RegExp;
  /** Used in turn. */
  answers: readonly string[];
}

/** Words to exchange when a phrase of the user is repeated to them. */
export const REFLECTIONS: ReadonlyMap<string, string> = new Map([
  ["i", "you"],
  ["me", "you"],
  ["my", "your"],
  ["mine", "yours"],
  ["myself", "yourself"],
  ["am", "are"],
  ["i'm", "you are"],
  ["i've", "you have"],
  ["i'd", "you would"],
  ["i'll", "you will"],
  ["was", "were"],
  ["you", "I"],
  ["your", "my"],
  ["yours", "mine"],
  ["yourself", "myself"],
  ["you're", "I am"],
  ["you've", "I have"],
]);

/** In order of priority. */
export const KEYWORDS: readonly Keyword[] = [
  {
    pattern: /\b(?:computer|machine|program|robot|chatbot)s?\b/,
    answers: [
      "Do machines trouble you?",
      "What is it about machines that is on your mind?",
      "Why do you bring up machines, of all things?",
    ],
  },
  {
    pattern:
      /\bmy (?:\w+ )?(mother|father|mom|mum|dad|sister|brother|wife|husband|partner|son|daughter|family|parents)\b/,
    answers: [
      "Tell me more about your $1.",
      "What comes to mind when you think of your $1?",
      "How do you get along with your $1?",
    ],
  },
  {
    pattern: /\bi remember (.+)/,
    answers: ["Do you often think of $1?", "What else does $1 bring back?", "Why does $1 come to you just now?"],
  },
  {
    pattern: /\bi (?:dreamed|dreamt|had a dream)(?: of| about| that)? (.+)/,
    answers: [
      "Did you ever imagine $1 while awake?",
      "What does that dream say to you?",
      "Who else appears in your dreams?",
    ],
  },
  {
    pattern: /\bif (.+)/,
    answers: ["How likely is it that $1?", "What would it mean to you if $1?", "Do you wish that $1?"],
  },
  {
    pattern: /\bi (?:need|want|would like) (.+)/,
    answers: ["What would it mean to you to get $1?", "Why do you want $1?", "Suppose you soon got $1. What then?"],
  },
  {
    pattern: /\bi (?:feel|am feeling|'m feeling) (.+)/,
    answers: ["Tell me more about feeling $1.", "Do you often feel $1?", "What makes you feel $1?"],
  },
  {
    pattern:
      /\bi(?: am|'m) (?:so |very |really |rather )?(sad|unhappy|depressed|sick|tired|lonely|anxious|afraid|worried|angry)\b/,
    answers: [
      "I am sorry to hear that you are $1.",
      "How long have you been $1?",
      "Does coming here help you not to be $1?",
    ],
  },
  {
    pattern: /\bi(?: am|'m) (?:so |very |really |rather )?(happy|glad|pleased|better|excited|proud)\b/,
    answers: ["What makes you $1?", "Have I helped you to be $1?", "Can you say why you are suddenly $1?"],
  },
  {
    pattern: /\bi(?: am|'m) (.+)/,
    answers: ["How long have you been $1?", "Do you believe it is normal to be $1?", "Do you like being $1?"],
  },
  {
    pattern: /\bi (?:can't|cannot|can not) (.+)/,
    answers: ["How do you know that you can't $1?", "Have you tried?", "Perhaps you could $1 now."],
  },
  {
    pattern: /\bi (?:don't|do not) (.+)/,
    answers: ["Don't you really $1?", "Why don't you $1?", "Does it trouble you that you don't $1?"],
  },
  {
    pattern: /\bare you (.+)/,
    answers: [
      "Why does it matter whether I am $1?",
      "Would you rather I were not $1?",
      "Perhaps I am $1 in your fancy.",
    ],
  },
  {
    pattern: /\byou(?: are|'re) (.+)/,
    answers: [
      "What makes you think that I am $1?",
      "Does it please you to believe that I am $1?",
      "Do you sometimes wish you were $1?",
    ],
  },
  {
    pattern: /\byou (.+) me\b/,
    answers: [
      "Why do you think that I $1 you?",
      "What makes you say that I $1 you?",
      "Do you like to think that I $1 you?",
    ],
  },
  {
    pattern: /\bbecause (.+)/,
    answers: [
      "Is that the real reason?",
      "What other reasons come to mind?",
      "Does that reason explain anything else?",
    ],
  },
  {
    pattern: /\b(everyone|everybody|nobody|no one|always|never)\b/,
    answers: ["Can you think of one example?", "Really, $1?", "Who or what in particular are you thinking of?"],
  },
  {
    pattern: /\bsorry\b/,
    answers: [
      "There is no need to apologise.",
      "What do you feel when you apologise?",
      "Please go on as if you had not said it.",
    ],
  },
  {
    pattern: /^(?:hello|hi|hey|good (?:morning|afternoon|evening))\b/,
    answers: ["How do you do. What brings you here?", "Hello. What would you like to talk about?"],
  },
  {
    pattern: /^(?:why|what|how|when|who|where|can|could|do|does|is)\b/,
    answers: [
      "Why do you ask?",
      "What answer would please you most?",
      "What do you think?",
      "Have you asked anyone else?",
    ],
  },
  {
    pattern: /^(?:yes|yeah|yep|certainly|of course)\b/,
    answers: ["You seem quite sure.", "I see.", "I understand."],
  },
  {
    pattern: /^(?:no|nope|not really)\b/,
    answers: ["Are you saying no just to be negative?", "Why not?", "You are being a bit negative."],
  },
];

/** About something that the user called their own earlier. */
export const MEMORIES: readonly string[] = [
  "Let us go back to your $1.",
  "Earlier you spoke of your $1.",
  "Has that anything to do with your $1?",
];

/** Used if nothing matches. */
export const FALLBACKS: readonly string[] = [
  "Please go on.",
  "I am not sure that I follow you.",
  "What does that suggest to you?",
  "Do you feel strongly about such things?",
];
