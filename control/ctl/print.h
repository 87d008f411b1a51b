/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SP_CTL_PRINT_H
#define SP_CTL_PRINT_H

#include <jansson.h>
#include <stdio.h>

/* The API's answers for people. What calls are named cannot trick a terminal.
 */

/* Print one line a call of the array @calls, with a heading. */
void sp_print_calls(FILE *to, const json_t *calls);

/* Print all that is known of a call. */
void sp_print_call(FILE *to, const json_t *call);

/* Print all that is known of each call of the array @calls. */
void sp_print_found(FILE *to, const json_t *calls);

/* Print the sections of the relay's statistics, an array as a table. */
void sp_print_statistics(FILE *to, const json_t *tree);

#endif
