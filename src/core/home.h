/* Where Medik keeps what must outlive a session: identity sets, journals, which Download Agent worked. */
#pragma once

/* $MEDIK_HOME, else $XDG_DATA_HOME/medik. Caller frees. */
char *mk_home(void);
