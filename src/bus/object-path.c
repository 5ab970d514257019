/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "object-path.h"

#include "names.h"

#include <string.h>

ObjectPath
object_path_of_domain(const char *uuid)
{
    ObjectPath path = {VMS_DOMAIN_PREFIX "/"};
    char *end = path.text + strlen(VMS_DOMAIN_PREFIX "/");

    for (; *uuid && end < path.text + sizeof path.text - 1; uuid++)
        *end++ = (char)(*uuid == '-' ? '_' : *uuid);
    return path;
}

ObjectPath
object_path_of_job(uint64_t number)
{
    ObjectPath path = {"/"};

    if (number)
        g_snprintf(path.text, sizeof path.text, VMS_JOB_PREFIX "/%" G_GUINT64_FORMAT, number);
    return path;
}

bool
object_path_to_domain(const char *path, char ret_uuid[static UUID_LENGTH + 1])
{
    char uuid[UUID_LENGTH + 1];

    if (!g_str_has_prefix(path, VMS_DOMAIN_PREFIX "/"))
        return false;
    g_strlcpy(uuid, path + strlen(VMS_DOMAIN_PREFIX "/"), sizeof uuid);
    g_strdelimit(uuid, "_", '-');
    return domain_uuid_parse(uuid, ret_uuid) &&
           g_str_equal(object_path_of_domain(ret_uuid).text, path);
}

bool
object_path_to_job(const char *path, uint64_t *ret_number)
{
    guint64 number;

    if (!g_str_has_prefix(path, VMS_JOB_PREFIX "/") ||
        !g_ascii_string_to_unsigned(path + strlen(VMS_JOB_PREFIX "/"), 10, 1, G_MAXUINT64, &number,
                                    NULL))
        return false;
    *ret_number = number;
    return g_str_equal(object_path_of_job(number).text, path);
}
