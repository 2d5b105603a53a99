"""English words that a merge of texts must keep its hands off, and words that tell nothing about a topic."""

CRITICAL = frozenset(
    """
    above accept after again alive all allow allowed although always any approve approved april august
    barely before begin below billion both but buy by can cannot celsius cl close closed cm could day
    days dead december deny despite disable disabled dollar dollars double down during each early eight
    either eleven enable enabled end euro euros ever every except fahrenheit false february feet few
    fewer first five foot forbidden four friday g greater half hardly higher hour hours however hundred
    in inch inches instead january july june just kelvin kg km l last late least left less lose lower m
    many march may mg might mile miles million minute minutes ml mm monday month months more most must
    need neither never nine no nobody none nope nor not nothing november now nowhere october off often
    on once one only open optional ought out over percent pound pounds rarely reject rejected required
    right safe saturday scarcely second seconds seldom sell september seven several shall should shut
    since six some sometimes soon start stop sunday t ten third thousand three thursday today tomorrow
    triple true tuesday twelve twice two under unless unsafe until up usually wednesday week weeks will
    win without would wrong year years yes yesterday zero
    """.split()  # noqa: SIM905 # words are read as a text
)
"""Words that turn, bound or date what is said. An edit that adds or drops one is not merged automatically."""

FUNCTION = frozenset(
    """
    a an the and or of to for with at from as is are was were be been being it its this that these those
    he she they we you i his her their our your who which what has have had do does did so than then there
    """.split()  # noqa: SIM905 # words are read as a text
)
"""Words that sentences on different topics share."""
