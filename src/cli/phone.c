#include "cli/cli.h"
int mk_cli_phone(int argc, char **argv) { return argc + !argv; }
