"""settings.py: two connections of one role, so that each sees the other's writes."""
import os

SECRET_KEY = 'of no use'
INSTALLED_APPS = ['stories']
ROOT_URLCONF = 'stories.views'
ALLOWED_HOSTS = ['*']
USE_TZ = True
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
DATABASES = {
    alias: {
        'ENGINE': 'django.db.backends.postgresql',
        'HOST': os.environ['PGHOST'],
        'PORT': os.environ['PGPORT'],
        'NAME': os.environ['APP_DATABASE'],
        'USER': 'app',
        'CONN_MAX_AGE': int(os.environ.get('APP_CONN_MAX_AGE', 0)),
    }
    for alias in ('default', 'other')
}
