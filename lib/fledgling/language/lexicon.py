"""Closed classes of English words that the rules rest on."""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of ``text`` as a set."""
    return frozenset(text.split())


BE = words("am is are was were")
HAVE = words("have has had")
MODALS = words("can will must could would should may might shall")
# After one of these stands a noun, so never the verb.
DETERMINERS = words("""
    a an the my our your his her its their this that these those every each some any no both all
""")
PREPOSITIONS = words("""
    in at on of to for from with by about near behind under over above below inside outside beside
    between beyond opposite across after before since until during into onto off through around
    along against within as like up down next
""")
ADVERBS = words("""
    also always still really now never just once actually usually only often sometimes currently
    already recently normally generally mostly mainly both all finally definitely officially
    rarely originally even ever probably apparently basically typically first later then soon
""")
QUANTIFIERS = words("both all most")
PRONOUNS = words("i we you he she they it")
RELATIVE = words("who that which whom whose where") | PRONOUNS
# Past forms that rarely are the finite verb: "a dog named Rex lives …".
PARTICIPLES = words("called named based located born")
# Words that can stand before the subject by themselves, then those that need a phrase.
FRONTING_ALONE = words("""
    nowadays yesterday tomorrow usually sometimes originally today recently currently tonight
    normally lately once formerly previously often
""")
FRONTING = FRONTING_ALONE | words("""
    in on at before after since for during every each last next as until from by with when while
    this these near behind under above
""")
NUMBERS = words("""
    one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred
""")
# Who is meant by "she", by "he" and by either.
WOMEN = words("""
    mother mum mom mam mama mummy nan nana gran granny grandma grandmother sister daughter wife aunt
    auntie niece girlfriend stepmum stepsister godmother woman girl lady landlady granddaughter
    fiancée
""")
MEN = words("""
    father dad papa daddy grandpa grandad granddad grandfather brother son husband uncle nephew
    boyfriend stepdad stepson stepbrother godfather man boy guy gentleman landlord grandson fiancé
    bloke chap
""")
PEOPLE = words("""
    friend mate buddy bestie neighbour neighbor boss colleague manager teacher doctor dentist vet
    flatmate roommate housemate coach therapist plumber hairdresser mechanic tutor mentor cousin
    partner ex twin child kid baby toddler tenant lodger classmate physio assistant supervisor
    captain author singer director pupil student client nurse friend person
""")
ANIMALS = words("""
    dog cat puppy kitten horse pony hamster rabbit parrot budgie tortoise goldfish snake rat hen
    rooster bird goat sheep cow donkey pig pet
""")
# Nouns and pronouns that take "are" with no ending to tell it.
PLURALS = words("people children men women parents police folks twins kids both they we you and")
