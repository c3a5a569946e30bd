"""The keys that have no letter, as the driver wants them: so that tests can be collected without selenium."""


class Keys:
    ENTER, ESCAPE = "\ue007", "\ue00c"
    END, HOME = "\ue010", "\ue011"
    ARROW_LEFT, ARROW_UP, ARROW_RIGHT, ARROW_DOWN = "\ue012", "\ue013", "\ue014", "\ue015"
