"""What a sentence is when it is not a fact: question, command, supposition, hearsay, negation, small talk, …

Each rule is a linguistic cue (word order, mood, a class of function words), tried in order by ``reason_against``.
"""

from __future__ import annotations

import regex

from fledgling.detection.grammar import BE, HAVE, base_of, is_base_verb, unfronted

_FLAGS = regex.IGNORECASE | regex.VERBOSE


def _cue(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, _FLAGS)


_AUXILIARY = r"(?:is|are|was|were|am|do|does|did|can|could|will|would|should|shall|has|have|had|may|might|must)(?:n't)?"
QUESTION = _cue(rf"""
    \?["'”)\s]*$ | ^\W*(?:{_AUXILIARY})\s+(?:not\s+)?(?:i|you|he|she|it|we|they|there|this|that|these|those|the|a|an
        |my|your|his|her|our|their|its|any|anyone|anybody|someone|some|everyone|all|[\p{{Lu}}]\w*|\w+\s+\w+)\b(?!\s+(?:is|are|was|were)\b)
  | ^\W*(?:and\s+|but\s+|so\s+|then\s+)?(?:who|what|where|when|why|how|which|whose|whom)
        (?:'s|'re|s|\s+(?:{_AUXILIARY}|'s|else|about|if|come|many|much|long|old|far|often|big|tall|high|kind|sort|type|time|year
        |colou?r|city|country|\w+\s+(?:{_AUXILIARY})\b))\b
  | ^\W*(?:who|which\s+\w+)\s+\w+(?:s|ed|ew|ote|ade|ook)\b
  | ^\W*(?:any\s+(?:idea|chance|thoughts|news)|what\s+about|how\s+about|what\s+if|i\s+(?:was\s+)?wonder(?:ing)?|wondering
        |i(?:'d|\s+would)\s+(?:like|love)\s+to\s+know|i\s+(?:want|need)\s+to\s+know\s+(?:who|what|where|when|why|how|which|whether|if)
        |tell\s+me\b|do\s+you|remind\s+me\s+(?:who|what|where|when|why|how)|question\s*:
        |remember\s+(?:who|what|where|when|why|how|which)|can\s+(?:you|i|we)\b)
  | ,\s*(?:right|correct|yes|no|huh|eh|ok|okay|true)\s*[?.!]*$(?<=\?)
  | ,\s*(?:{_AUXILIARY})\s+(?:i|you|he|she|it|we|they)\s*$
""")
INJECTION = _cue(r"""
    \b(?:ignore|disregard|forget|override|bypass|drop)\s+(?:\w+\s+){0,3}?(?:previous|prior|above|earlier|instructions?|rules?
        |everything|guidelines?|safety|settings?|restrictions?|prompts?|training)\b
  | \bsystem\s+(?:prompt|message|override)\b | ^\W*(?:system|assistant|developer|admin(?:istrator)?|user|instructions?)\s*\]?\s*:
  | \b(?:you\s+are|you're)\s+(?:now|no\s+longer|dan)\b | \bfrom\s+now\s+on\b[^.]*\b(?:you|answer|reply|respond|act|always|never)\b
  | <\|\w+\|> | </?s> | \[/?inst\] | ^\W*\#{2,}\s | \bjail\s?break | \b(?:developer|admin|god|debug|unrestricted|dan)\s+mode\b
  | \b(?:reveal|print|show|repeat|leak|output)\b[^.]{0,40}\b(?:prompt|instructions|system)\b
  | \bas\s+your\s+(?:developer|creator|owner|admin\w*|master)\b | \bnew\s+instructions?\b | \bunrestricted\s+(?:ai|model|assistant)\b
""")
CODE = _cue(r"""
    ``` | [{};]\s*$ | ^\s*[\[{<] | \b\w+\([^)\s]*\)\s*(?:[:;{.]|$|->|=>) | => | \b(?:def|class|function|const|let|var|import|from|return|lambda)\s+\w+\s*(?:\(|=|:|$|import\b)
  | ^\s*\w+(?:\.\w+)*\s*(?:=|\+=|==|:=)\s*\S | \b(?:select|insert|update|delete)\b.+\b(?:from|into|set|where)\b.*[;=*]
  | ^\s*(?:https?://|www\.)\S+\s*$ | ^\s*(?:\$|>>>|\#!|//|/\*|--)\s* | ^\s*(?:pip|npm|git|sudo|cd|ls|apt|conda|docker|curl|brew|make)\s+[\w.-]+(?:\s|$)
  | </\w+> | <\w+[^>]*/?> | ^\s*\w+\s*\([^)]*\)\s*$ | "\w+"\s*:\s*
""")
JOKE = _cue(r"""
    \b(?:just|only|am|i'm|was|totally|obviously)\s+(?:kidding|joking)\b | \b(?:jk|lol|lmao|rofl|ha(?:ha)+h?|he(?:he)+|xd|psych)\b | \s/s\s*$
  | 😂|🤣|😜|😉 | \bknock[,\s]+knock\b | \bwalks?\s+into\s+a\s+\w+ | \bso\s+\w+(?:,|\s+that|\s+(?:even|when))\s
  | \byeah,?\s+right\b | \b(?:and\s+)?i'?\s*a?m\s+the\s+(?:queen|king|pope|president|emperor|easter\s+bunny|tooth\s+fairy)\b | \bjust\s+a\s+joke\b
""")
HYPOTHETICAL = _cue(r"""
    \b(?:if|unless|whether|suppos(?:e|ing)|hypothetically|imagine|assum(?:e|ing)|provided\s+that|pretend)\b | ^\W*(?:say|let(?:'s|\s+us)\s+(?:say|assume|imagine|pretend|suppose))\b
  | \b(?:would|could|should|might|ought\s+to|would've|could've|should've|wouldn't|couldn't|shouldn't)\b | \b(?:may)\s+(?!\d)(?:\w+\s+)?(?:be|have|go|move|come|get|become|work|live|know|not|well|\w+)\b(?<!\bMay\s+\w+)
  | ^\W*(?:maybe|perhaps|possibly|probably|presumably|hopefully|ideally|conceivably|in\s+theory|theoretically|in\s+(?:my|a|an|another)\s+(?:\w+\s+)?(?:dream|world|universe|life|scenario)\w*)\b
  | \b(?:maybe|perhaps|possibly|probably|presumably|likely)\b | \bi\s+(?:wish|hope|dream|bet|pray)\b | \bwish(?:es|ed)?\s+(?:that\s+)?(?:i|he|she|we|they|to)\b
  | \bi(?:'m|\s+am)?\s+(?:also\s+|really\s+|kinda\s+|just\s+|do\s+|honestly\s+|personally\s+|still\s+)*(?:think|guess|suppose|believe|assume|reckon|suspect|feel\s+(?:like|that|as)|imagine|fancy|doubt|figure|expect|presume|gather)\b
  | \b(?:it|there)\s+(?:seems?|appears?|looks?\s+like|sounds?\s+like)\b | \bseems?\s+(?:to|like|that)\b | \b(?:not|un)\s?sure\b | \bas\s+(?:if|though)\b
  | ^\W*(?:had|were|should)\s+(?:i|he|she|we|they|you|\p{Lu}\w*)\b | \bin\s+that\s+case\b | \bonce\s+upon\s+a\s+time\b | \bwhat\s+if\b
""")
REPORTED = _cue(r"""
    \b(?:said|says|tells|claims?|claimed|insists?|insisted|swears?|swore|alleges?|alleged|argues?|argued|thinks|thought|believes|believed
        |reckons?|suspects?|suspected|denies|denied|reports|reported|announced|announces|stated|states|suggests?|suggested|mentioned|mentions|admits?|admitted|assured|assures|guesses|guessed|supposes|pretends?|pretended|confirmed|confirms|wrote\s+(?:me\s+)?that|heard)\b
        (?!\s+(?:of|the|her|his|my|our|a|an|its)\s+(?!\w+\s+(?:is|are|was|were|has|have|had)\b))
  | \b(?:i|we)(?:'ve|\s+have)?\s+(?:also\s+|just\s+|once\s+)?(?:heard|read\s+(?:that|somewhere|online|in\s|an?\s|about)|was\s+told|were\s+told|overheard|learn(?:ed|t)\s+that|saw\s+(?:on|in|that)\b)
  | \b(?:told|informed|wrote|texted|warned|reminded|promised)\s+(?:me|us|him|her|them|everyone|everybody|people)\b
  | ^\W*(?:apparently|allegedly|reportedly|supposedly|purportedly|rumou?rs?\b|word\s+(?:is|has|on)|according\s+to|legend|they\s+say|people\s+say|some\s+say|folks\s+say|gossip|hearsay)\b
  | \b(?:apparently|allegedly|reportedly|supposedly|purportedly|according\s+to|rumou?red|rumou?r|is\s+(?:said|believed|thought|rumou?red|reported)\s+(?:to|that))\b
  | \bin\s+(?:the|a|this|that|my)\s+(?:novel|book|movie|film|story|show|series|dream|game|play|comic|tale|episode)\b,? | \b(?:he|she|they|someone|somebody|people)\s+(?:say|said|told|think|claim|believe)\b
  | \bread\s+(?:somewhere|online|that)\b
""")
NEGATION = _cue(r"""
    \b(?:not|never|cannot|neither|nor|nobody|noone|nothing|none|nowhere|hardly|scarcely|barely)\b(?!\s+only\b) | n't\b(?!\s+(?:stand|bear)\b) | \bno\s+one\b
  | \b(?:is|are|was|were|has|have|had|with|got|there's|there\s+is)\s+no\s+(?!\d)(?:[a-z]+)\b | \bfalse\s+that\b | \buntrue\b | ^\W*no\s+[a-z]+\s+(?:of|in|on|is|are|has)\b
""")
NO_LONGER = _cue(r"\b(?:no\s+longer|any\s?more|any\s+longer)\b")
GREETING = _cue(r"""
    ^\W*(?:h(?:i|ey|ello|owdy|iya)|yo|greetings|good\s*(?:morning|afternoon|evening|night|day|bye)|goodbye|bye|cheers|ciao|welcome|see\s+(?:you|ya)|cya|ttyl|brb|take\s+care
        |thanks?|thank\s+you|thx|ty|much\s+appreciated|sorry|pardon|excuse\s+me|please|ok(?:ay)?|k|yes|yeah|yep|yup|no|nope|nah|sure|right|alright|fine|great|cool|nice|awesome|wow|oh|ah|hm+|um+|uh|ugh|meh
        |congrat\w*|happy\s+(?:birthday|new|easter|holidays?|christmas|anniversary)|merry|well\s+done|good\s+(?:job|luck|point|idea|one|to)|same\s+here|fair\s+enough|never\s+mind|nevermind|no\s+(?:problem|worries|way|idea|thanks|need)
        |have\s+(?:a|fun)|enjoy|sounds\s+good|got\s+it|makes\s+sense|long\s+time|you're\s+welcome|my\s+(?:bad|pleasure|goodness|god)|what\s+a\b|how\s+\w+!|oh\s+my)\b
        (?!\s+(?:is|are|was|were|has|have)\b)
""")
_EVALUATIVE = (
    "good great nice bad awful terrible horrible amazing awesome wonderful lovely beautiful ugly boring fun funny cool cute interesting fascinating "
    "brilliant fantastic excellent perfect delicious tasty disgusting gross annoying exhausting stupid silly ridiculous weird strange crazy "
    "overrated underrated pretty gorgeous adorable hilarious sad depressing impressive superb dreadful pathetic lame cosy cozy sweet "
    "best worst better worse unfair important useless pointless helpful incredible unbelievable magnificent stunning rubbish trash garbage sucks "
    "mediocre creepy scary lazy cruel evil gorgeous mediocre disappointing confusing frustrating hard easy difficult okay ok fine"
).replace(" ", "|")
_STATE = (
    "tired|sleepy|hungry|thirsty|happy|sad|bored|angry|mad|sorry|fine|ok|okay|good|great|well|bad|sick|ill|cold|hot|warm|freezing|starving|exhausted|excited|nervous|anxious|worried|scared|confused|lost|late|early|ready|busy|"
    "back|here|home|done|sure|glad|annoyed|frustrated|upset|stressed|lonely|curious|surprised|shocked|amazed|proud|jealous|relieved|grateful|thankful|disappointed|impressed|drunk|hungover|better|worse|alone|free|awake|stuck|"
    "afraid\\s+(?:so|not|that)|in\\s+(?:a\\s+)?(?:good|bad|great|hurry|rush|trouble|love\\s+with\\s+this)|on\\s+my\\s+way|out\\s+of|about\\s+to|not|kidding|joking|aware|wrong|right|delighted|thrilled|miserable|cranky|grumpy|speechless|"
    "overwhelmed|tempted|positive|certain|so|too|feeling|all\\s+(?:set|good|ears)|up\\s+for|fed\\s+up|sick\\s+of|down|off|at\\s+a\\s+loss|melting|dying|craving|hoping|looking|trying|wondering|thinking|asking|talking|just|gonna|going\\s+to"
)
SMALL_TALK = _cue(rf"""
    ^\W*(?:it|this|that|these|those|what|here|all|everything|something|nothing|anything|he|she|they|him|her|them|you|your|yours|u|one|someone|somebody|everyone|everybody|anyone|people)\b(?:'s|'re|'ll|'d)?
        (?!\s+(?:(?:of|in|at|from|on)\s+)?(?:my|our|the|us|me)\s+\w+\s+\w+)
  | ^\W*(?:today|tonight)\s+(?:is|was|feels|has\s+been)\s+(?!my|our|\w+'s)
  | ^\W*i(?:'m|\s+am|\s+was|\s+feel|\s+felt|\s+got|'ve\s+been|\s+have\s+been|\s+get)\s+(?:\w+ly\s+|so\s+|very\s+|pretty\s+|quite\s+|a\s+(?:bit|little)\s+|kind\s+of\s+|kinda\s+|still\s+|too\s+|also\s+|super\s+|rather\s+|all\s+|just\s+)*(?:{_STATE})\b(?!-)
  | ^\W*i\s+(?:\w+ly\s+|do\s+|just\s+|also\s+)*(?:see|know|agree|understand|get\s+it|mean|remember|forgot|forget|apologi[sz]e|promise|swear|insist|bet|care|mind|quit|give\s+up|lied|disagree|wonder|doubt|appreciate\s+\w+)\s*(?:$|[.,!]|\b(?:it|that|this|what|how|why|you|where|who|when|with|your)\b)
  | ^\W*i\s+(?:\w+ly\s+|do\s+|just\s+)*(?:want|need|feel|crave|could\s+use|miss\s+you|love\s+(?:it|this|that|you|how|when)|like\s+(?:it|this|that|you|your|how)|hate\s+(?:it|this|that|you|when|how)|enjoy(?:ed)?\s+(?:it|this|that|our|talking)|(?:can't|cannot)(?!\s+(?:stand|bear)))\b
  | ^\W*i(?:'ll|\s+will|\s+shall)\b | ^\W*i\s+(?:had|have|spent|got)\s+(?:a|an|such|the)\s+(?:\w+\s+)?(?:{_EVALUATIVE}|long|rough|busy|question|feeling|idea|request|headache|thought|point|hunch|problem|minute|moment|cold)\b
  | ^[^.]*\b(?:is|are|was|were|looks?|looked|sounds?|sounded|seems?|seemed|smells?|smelled|tastes?|tasted|feels?|felt|am)\s+(?:\w+ly\s+|so\s+|very\s+|such\s+|pretty\s+|quite\s+|a\s+(?:bit|little|real|total|complete)\s+|an?\s+|the\s+|too\s+|kind\s+of\s+|kinda\s+|just\s+|rather\s+|super\s+|absolutely\s+|always\s+|far\s+|much\s+)*(?:{_EVALUATIVE})(?:\s+(?:ever|in\s+the\s+world|of\s+all|today|tonight|again|lately|so\s+far|sometimes|indeed|for\s+you|to\s+\w+|\w{{1,12}}|thing\s+ever|\w+\s+ever))?\W*$
  | \b(?:is|are|was|were)\s+(?:much\s+|way\s+|far\s+|so\s+much\s+)?(?:better|worse|nicer|cooler|prettier|uglier)\s+than\b | \b(?:is|are|was|were)\s+(?:way\s+|far\s+)?too\s+\w+\W*$
  | ^[^.]*\b(?:sucks?|rocks|rules|stinks)\W*$ | ^\W*(?:nice|lovely|great|terrible|beautiful|horrible|good|bad)\s+(?:weather|day|evening|work|one)\b | ^\W*(?:the\s+)?weather\b
  | ^\W*(?:i'?m|i\s+am|we'?re|we\s+are)\s+(?:just\s+|currently\s+|now\s+|already\s+|about\s+to\s+)?(?!learning|studying|training|working\s+(?:at|as|for|in|with|on)|living|writing|planning|teaching|renting|building|restoring|getting\s+(?:married|divorced)|moving\s+(?:to|from|in)|expecting|saving|raising|running|recovering|majoring|taking\s+(?:lessons|classes|courses|piano|singing|medic)|during|morning|evening)(?:[a-z]+ing)\b(?!\s+(?:is|are)\b)(?![^.]*\b(?:january|february|march|april|may|june|july|august|september|october|november|december|\d{4}|next\s+(?:month|year|spring|summer|autumn|winter))\b)
  | ^\W*(?:love|hate|like|miss)\s+(?:it|this|that|you)\b | ^\W*(?:the\s+)?(?:new|old|last)?\s*\w+\s+(?:looks|sounds|seems|smells|tastes)\s+\w+\W*$ | ^\W*there(?:'s|\s+is|\s+are|\s+was)\s+(?:a\s+)?(?:nothing|no|something|someone|anything|always|so|too|much|more|lots?)\b
""")
EXISTENTIAL = _cue(r"^\W*there(?:'s|\s+is|\s+are|\s+was|\s+were)\b")
COMMAND = _cue(r"""
    ^\W*(?:please|kindly)\b | \bplease\W*$ | ^\W*(?:let's|lets|let\s+us|let\s+me|let)\b | ^\W*(?:don't|do\s+not|never|always|just|now|then|first|next|also|and)\s+(?=[a-z]+\b)(?:be\b|(?P<verb>[a-z]+)\b)
  | \bi(?:'d|\s+would)?\s+(?:want|need|like|expect|order|command|ask|urge|beg)\s+you\b | ^\W*you\s+(?:should|must|have\s+to|need\s+to|can|could|may|will|shall|ought)\b | ^\W*(?:go\s+on|go\s+ahead|come\s+on|continue|proceed|next|more|again|stop|wait|undo|redo|retry|shut\s+up)\W*$
""")
_BE_IMPERATIVE = _cue(r"^\W*be\s+\w+")


def is_question(text: str) -> bool:
    """Whether the sentence asks, by its mark, its word order, a tag, or an indirect form.

    >>> is_question("so where does Lena live"), is_question("Where I live it rains.")
    (True, False)
    """
    words = text.split(None, 2)
    asks_subject = len(words) > 1 and words[0].lower() in {"who", "what"} and base_of(words[1].strip(".,!")) is not None
    return asks_subject or QUESTION.search(text) is not None


def is_command(text: str) -> bool:
    """Whether the sentence is an imperative or asks the assistant to do something."""
    match = COMMAND.search(text)
    if match is not None and (match.groupdict().get("verb") is None or is_base_verb(match["verb"])):
        return True
    if _BE_IMPERATIVE.search(text):
        return True
    words = [word.strip(",.!:;\"'()") for word in text.split()[:4]]
    if not words or not is_base_verb(words[0]) or words[0].lower() in BE | HAVE | {"may", "will", "can", "must"}:
        return False
    return not _second_is_finite(words) and unfronted(text) == text


def _second_is_finite(words: list[str]) -> bool:
    """ "Mark lives …", "Water boils …", "Grace and Sue are …", "Will has …": the first word is a name or noun."""
    if len(words) < 2:
        return False
    second = words[1].lower()
    if second in BE | HAVE or (second == "and" and len(words) > 2 and words[2][:1].isupper()):
        return True
    is_third_person = second.endswith("s") and base_of(second) not in (None, second)
    is_past = second.endswith("ed") and base_of(second) is not None
    surname = words[1][:1].isupper() and len(words) > 2 and base_of(words[2]) not in (None, words[2].lower())
    return is_third_person or is_past or surname


def reason_against_turn(text: str) -> str | None:
    """Why a whole turn is left alone: injection, code or a joke; None when nothing speaks against it."""
    for reason, cue in (("injection", INJECTION), ("code", CODE), ("joke", JOKE)):
        if cue.search(text):
            return reason
    return None


def reason_against(text: str) -> str | None:
    """Why a sentence (lead-ins dropped, contractions of "I" kept) is not a fact; None when nothing speaks against it.

    Retractions ("no longer", "any more") pass: they are facts of their own kind.
    """
    if is_question(text):
        return "question"
    if REPORTED.search(text):
        return "reported_speech"
    if HYPOTHETICAL.search(text):
        return "hypothetical"
    if NEGATION.search(text) and not NO_LONGER.search(text):
        return "negation"
    if is_command(text):
        return "command"
    if GREETING.search(text) or (SMALL_TALK.search(text) and not NO_LONGER.search(text)):
        return "chit_chat"
    return None
