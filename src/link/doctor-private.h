/* Inside the room: what the two halves of the doctor share. */
#pragma once

#define MK_DOCTOR_RULES_NAME "60-medik.rules"

/* The text of the rules that are installed below ROOT, or NULL. Caller frees. */
char *mk_doctor_installed_rules(const char *root);
