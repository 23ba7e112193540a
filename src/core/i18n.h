/* gettext, from the first day. In the library texts are translated where they are shown: _() at the place of use. */
#pragma once

#include <glib/gi18n-lib.h>
