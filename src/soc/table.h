/* The generated table; use soc.h. */
#pragma once

#include "soc/soc.h"

extern const MkSoc mk_soc_rows[];
extern const size_t mk_soc_row_count;
